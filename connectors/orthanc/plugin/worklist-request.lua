-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Repairs what modalities ask, before Orthanc matches it. It serves every
-- worklist plugin: Worklane's own and the folder of .wl files.
--
-- Without it Orthanc fails the whole C-FIND (0xC000) for a wildcard in a date, time
-- or UID key (PS3.4 C.2.2.2.4 allows none, many modalities send '*'), answers
-- nothing to a query that names a level or a private key, and fails queries in
-- ISO 2022 IR 87.

local dates = { ['0010,0030'] = true, ['0008,0020'] = true, ['0040,0002'] = true, ['0040,0004'] = true, ['0040,2004'] = true }
local times = { ['0010,0032'] = true, ['0008,0030'] = true, ['0040,0003'] = true, ['0040,0005'] = true, ['0040,2005'] = true }
local uids = { ['0020,000d'] = true, ['0008,1150'] = true, ['0008,1155'] = true }
-- AE and CS: spaces around them mean nothing (PS3.5 6.2), but Orthanc compares them.
local codes = { ['0008,0060'] = true, ['0010,0040'] = true, ['0040,0001'] = true, ['0040,0020'] = true }

local function repair(key, value)
  if (dates[key] or times[key] or uids[key]) and value:find('^%s*[%*%?]+%s*$') then
    -- Matches everything, which an empty key says (PS3.4 C.2.2.2.3).
    return ''
  elseif dates[key] then
    -- 2026.10.16 is a date of ACR-NEMA, which a reader shall still take (PS3.5 6.2).
    return (value:gsub('(%d%d%d%d)%.(%d%d)%.(%d%d)', '%1%2%3'))
  elseif times[key] then
    return (value:gsub('(%d%d):(%d%d):(%d%d)', '%1%2%3'):gsub('(%d%d):(%d%d)', '%1%2'))
  elseif codes[key] then
    return (value:gsub('^%s+', ''):gsub('%s+$', ''))
  end
  return value
end

local function isPrivate(key)
  return tonumber(key:sub(4, 4), 16) % 2 == 1
end

local function repairAll(item)
  for key, value in pairs(item) do
    if isPrivate(key) then item[key] = nil
    elseif type(value) == 'string' then item[key] = repair(key, value)
    elseif type(value) == 'table' then
      for _, inner in ipairs(value) do repairAll(inner) end
    end
  end
end

-- Dates and times that are both ranges are one period, from the first day's first hour to the
-- last day's last (PS3.4 K.6.1.2.2). Orthanc's own matching takes them apart and leaves items
-- out; without the hours the modality sees a few more instead. The engine matches rightly itself.
local function joinRanges(step)
  local date, time = step['0040,0002'] or '', step['0040,0003'] or ''
  local first, last = date:match('^(%d*)%-(%d*)$')
  if first and first ~= last and time:find('-', 1, true) then step['0040,0003'] = '' end
end

-- Of an answer Orthanc leaves out the steps that do not match by its own rules, and some that match
-- by DICOM's do not: a period over midnight, 0830 for 08:30:00, a name with fewer carets. A modality
-- would get a patient without an exam. So what is asked inside sequences goes to Worklane's plugin
-- beside the query, in Text Value: no item has it, so it is in no answer. Any other plugin would
-- look for it, and find nothing: it is done only where the plugin is ours.
local carrier = '0040,a160'

local function carry(item, path, carried)
  for key, value in pairs(item) do
    if type(value) == 'table' then
      for index, inner in ipairs(value) do carry(inner, path .. key .. '/' .. (index - 1) .. '/', carried) end
    elseif path ~= '' and type(value) == 'string' and value ~= '' then
      carried[path .. key] = value
      item[key] = ''
    end
  end
end

local function whoAnswers()
  local configuration = GetOrthancConfiguration() or {}
  local worklists, script = configuration['Worklists'], configuration['PythonScript']
  if type(worklists) == 'table' and worklists['Enable'] == true then return 'folder' end
  return type(script) == 'string' and script:find('worklane', 1, true) and 'plugin' or 'other'
end

function IncomingWorklistRequestFilter(query, origin)
  repairAll(query)
  local steps = query['0040,0100']
  local answering = whoAnswers()
  if type(steps) == 'table' and answering == 'folder' then
    for _, step in ipairs(steps) do joinRanges(step) end
  end
  if answering == 'plugin' then
    -- The first entry keeps a table without others from being written as a list.
    local carried = { worklane = '1' }
    carry(query, '', carried)
    query[carrier] = DumpJson(carried, true)
  end
  -- Query/Retrieve Level has no place in a worklist query; a key that no item has matches no item.
  query['0008,0052'] = nil
  -- The strings are UTF-8 by now; with the modality's own declaration some sets fail.
  query['0008,0005'] = 'ISO_IR 192'
  return query
end
