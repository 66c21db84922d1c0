-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Repairs what modalities ask, before Orthanc matches it. It serves every
-- worklist plugin: Worklane's own and the folder of .wl files.
--
-- Without it Orthanc fails the whole C-FIND (0xC000) for a wildcard in a date, time
-- or UID key (PS3.4 C.2.2.2.4 allows none, many modalities send '*'), answers
-- nothing to a query that names a level, and fails queries in ISO 2022 IR 87.

-- "*", "**", "?*": matches everything, which an empty key says (PS3.4 C.2.2.2.3).
local function isWildcard(value)
  return type(value) == 'string' and value:find('^%s*[%*%?]+%s*$') ~= nil
end

-- Keys whose VR is DA, TM or UI.
local stepKeys = { '0040,0002', '0040,0003', '0040,0004', '0040,0005' }
local topKeys = { '0010,0030', '0010,0032', '0020,000d', '0008,0020', '0008,0030', '0032,1000', '0032,1001', '0040,2004', '0040,2005', '0008,1150', '0008,1155' }

local function universalise(item, keys)
  for _, key in ipairs(keys) do
    if isWildcard(item[key]) then item[key] = '' end
  end
end

function IncomingWorklistRequestFilter(query, origin)
  universalise(query, topKeys)
  local steps = query['0040,0100']
  if type(steps) == 'table' then
    for _, step in ipairs(steps) do universalise(step, stepKeys) end
  end
  -- Query/Retrieve Level has no place in a worklist query; a key that no item has matches no item.
  query['0008,0052'] = nil
  -- The strings are UTF-8 by now; with the modality's own declaration some sets fail.
  query['0008,0005'] = 'ISO_IR 192'
  return query
end
