/** An order for today at the next full quarter of an hour, numbered by `now` so that no two demos share one. */
export interface DemoOrder {
  readonly accessionNumber: string
  readonly date: string
  readonly segments: readonly string[]
}

export function demoOrder(now: Date): DemoOrder {
  const number = String(now.getTime()).slice(-9)
  const start = new Date(Math.ceil((now.getTime() + 1) / 900_000) * 900_000)
  const accessionNumber = `ACC${number}`
  const timing = `1^once^^${stamp(start)}00^^R`
  const numbers = `P${number}^CPOE|F${number}^RIS`
  return {
    accessionNumber,
    date: stamp(start).slice(0, 8),
    segments: [
      String.raw`MSH|^~\&|RIS|HOSPITAL|WORKLANE|RADIOLOGY|${stamp(now)}00||ORM^O01|DEMO${number}|P|2.5.1||||||UNICODE UTF-8`,
      'PID|1||8150^^^HOSPITAL^MR||Müller^Zoë^^^Dr||19850417|F',
      'PV1|1|O|RAD^CT1||||7^Attig^Egon|55^Refer^Rita^^^Dr',
      `ORC|NW|${numbers}||SC||${timing}`,
      segment('OBR', {
        1: '1',
        2: `P${number}^CPOE`,
        3: `F${number}^RIS`,
        4: 'CTABD^CT abdomen^99RP',
        16: '300^Wilms^Jana',
        18: accessionNumber,
        19: `RP${number}`,
        20: `SPS${number}`,
        24: 'CT',
        27: timing,
      }),
    ],
  }
}

/** Local time as HL7 and DICOM write it, to the minute. */
export function stamp(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`
  return `${date}${two(time.getHours())}${two(time.getMinutes())}`
}

function segment(name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(fields).map(Number))
  return [name, ...Array.from({ length: last }, (_, at) => fields[at + 1] ?? '')].join('|')
}
