import { expect, test } from 'vitest'
import { createZone, parseTimeStamp } from '../../src/mapping/time.ts'

const berlin = createZone('Europe/Berlin')

const stamps = [
  { what: 'a time without an offset is the site’s', text: '20261016101500', date: '20261016', time: '101500' },
  { what: 'an offset is converted', text: '20261016101500+0000', date: '20261016', time: '121500' },
  { what: 'Z is no offset', text: '20261016101500Z', date: '20261016', time: '121500' },
  { what: 'into another day', text: '20261231233000-0500', date: '20270101', time: '053000' },
  { what: 'by quarters of an hour', text: '20260302101500+0545', date: '20260302', time: '053000' },
  { what: 'with its fraction', text: '20260302101500.1234+0100', date: '20260302', time: '101500.1234' },
  { what: 'to the minute only', text: '202603021015+0000', date: '20260302', time: '1115' },
  { what: 'to the hour only', text: '2026030210+0000', date: '20260302', time: '11' },
  { what: 'an hour that becomes half past another', text: '2026030210+0530', date: '20260302', time: '0530' },
  { what: 'a day is not shifted', text: '20260302-1200', date: '20260302', time: '' },
  { what: 'a month', text: '202603', date: '202603', time: '' },
  { what: 'a year', text: '2026', date: '2026', time: '' },
  {
    what: 'the hour that summer time skips stays as written',
    text: '20260329023000',
    date: '20260329',
    time: '023000',
  },
  { what: 'the hour that comes twice stays as written', text: '20261025023000', date: '20261025', time: '023000' },
  { what: 'before the clock is put back', text: '20261025023000+0200', date: '20261025', time: '023000' },
  { what: 'and after it', text: '20261025023000+0100', date: '20261025', time: '023000' },
  { what: 'in the hour that is skipped, by an offset', text: '20260329023000+0100', date: '20260329', time: '033000' },
  { what: 'a leap second is the one before it', text: '20261231235960', date: '20261231', time: '235959' },
  { what: 'with an offset, too', text: '20161231235960+0000', date: '20170101', time: '005959' },
  { what: 'a leap day', text: '20280229', date: '20280229', time: '' },
  {
    what: 'a year of the first century is no one of ours',
    text: '00500101120000+0100',
    date: '00500101',
    time: '115328',
  },
]
test.each(stamps)('$what: $text', ({ text, date, time }) => {
  expect(parseTimeStamp(text, berlin)).toEqual({ date, time })
})

test('without a zone nothing is shifted: nobody is born on another day', () => {
  expect(parseTimeStamp('19800214003000+1400')).toEqual({ date: '19800214', time: '003000' })
})

const wrong = [
  '',
  '2026-03-02',
  '20260302T101500',
  '20260230',
  '20270229',
  '20261301',
  '20260001',
  '00000101',
  '202603021',
  '2026030224',
  '202603022360',
  '20260302235961',
  '20260302101500+2500',
  '20260302101500+0160',
  '20260302101500+1',
  '20260302101500z',
  '20260302101500.',
  '20260302101500.1234567',
  ' 20260302',
]
test.each(wrong)('"%s" is no time stamp', (text) => {
  expect(parseTimeStamp(text, berlin)).toBeUndefined()
})
