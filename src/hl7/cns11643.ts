import iconv from 'iconv-lite'

/**
 * CNS 11643-1992 (HL7 table 0211) in its EUC form, EUC-TW: two bytes for a character of plane 1, four
 * (0x8E, 0xA0 + plane, two) for the others. Its planes 1 and 2 hold the characters of Big5 in almost the same
 * order, so that a short table of runs leads from one to the other; what stands in no run is not decoded.
 *
 * A run: position in the plane (row * 94 + cell), position in Big5 (row * 157 + cell), length.
 */
type Run = readonly [plane: number, big5: number, length: number]

// Made by comparing `iconv -t EUC-TW` of all characters of Big5 with their Big5 codes.
// prettier-ignore
const plane1: readonly Run[] = [
  [0, 0, 5], [6, 6, 8], [15, 15, 6], [21, 23, 2], [24, 22, 1], [29, 29, 44],
  [73, 74, 1], [74, 73, 1], [75, 75, 22], [98, 98, 1], [100, 100, 27], [127, 128, 1],
  [128, 127, 1], [129, 129, 19], [148, 149, 1], [149, 148, 1], [150, 150, 4], [155, 21, 1],
  [156, 156, 2], [160, 160, 1], [162, 162, 1], [165, 165, 69], [282, 234, 29], [312, 264, 1],
  [314, 266, 142], [470, 6101, 20], [3290, 471, 17], [3307, 263, 1], [3308, 489, 86], [3394, 265, 1],
  [3395, 576, 1307], [4702, 1884, 424], [5126, 1883, 1], [5127, 2308, 1876], [7003, 4571, 1], [7004, 4184, 387],
  [7391, 4572, 525], [7916, 5286, 1], [7917, 5097, 105], [8023, 5203, 83], [8106, 5287, 84], [8190, 5517, 1],
  [8191, 5371, 54], [8245, 5426, 1], [8246, 5425, 1], [8247, 5427, 90], [8337, 5518, 354],
]
// prettier-ignore
const plane2: readonly Run[] = [
  [0, 6280, 10], [10, 6291, 33], [43, 6372, 1], [44, 6324, 48], [92, 6373, 46], [138, 6586, 1],
  [139, 6419, 167], [306, 6587, 1840], [2146, 9074, 1], [2147, 8428, 108], [2255, 8537, 537], [2792, 8427, 1],
  [2793, 9075, 100], [2893, 8536, 1], [2894, 9175, 399], [3293, 9575, 1637], [4930, 11761, 1], [4931, 11212, 146],
  [5077, 11899, 1], [5078, 11358, 287], [5365, 12508, 1], [5366, 11645, 116], [5482, 11762, 137], [5619, 11900, 104],
  [5723, 12425, 1], [5724, 12004, 222], [5946, 12227, 198], [6144, 12426, 82], [6226, 12509, 86], [6312, 12226, 1],
  [6313, 12595, 8], [6321, 12604, 153], [6474, 12758, 56], [6530, 13114, 1], [6531, 12814, 113], [6644, 12603, 1],
  [6645, 12927, 142], [6787, 12757, 1], [6788, 13069, 45], [6833, 13115, 71], [6904, 13380, 1], [6905, 13186, 194],
  [7099, 13381, 490], [7589, 13914, 1], [7590, 13871, 43], [7633, 13915, 1], [7634, 13917, 11], [7645, 13916, 1],
  [7646, 13928, 4],
]

/** Text of bytes above 127 (none below); undefined when they are not valid. */
export function decodeCns(bytes: Uint8Array): string | undefined {
  const big5: number[] = []
  let at = 0
  while (at < bytes.length) {
    const isLong = bytes[at] === 0x8e
    const plane = isLong ? (bytes[at + 1] ?? 0) - 0xa0 : 1
    if (isLong) at += 2
    const row = (bytes[at] ?? 0) - 0xa1
    const cell = (bytes[at + 1] ?? 0) - 0xa1
    const runs = plane === 1 ? plane1 : plane === 2 ? plane2 : []
    if (row < 0 || row > 93 || cell < 0 || cell > 93) return undefined
    const found = moved(runs, row * 94 + cell, 0, 1)
    if (found === undefined) return undefined
    const low = found % 157
    big5.push(0xa1 + Math.floor(found / 157), low < 63 ? low + 0x40 : low - 63 + 0xa1)
    at += 2
  }
  const text = iconv.decode(Buffer.from(big5), 'big5')
  return text.includes('\uFFFD') ? undefined : text
}

/** Bytes of text without ASCII; undefined when a character is in neither plane. */
export function encodeCns(text: string): Uint8Array | undefined {
  const out: number[] = []
  for (const character of text) {
    const big5 = iconv.encode(character, 'big5')
    const [high = 0, low = 0] = big5
    if (big5.length !== 2 || iconv.decode(big5, 'big5') !== character) return undefined
    const code = (high - 0xa1) * 157 + (low < 0x7f ? low - 0x40 : low - 0xa1 + 63)
    const first = moved(plane1, code, 1, 0)
    const second = first === undefined ? moved(plane2, code, 1, 0) : undefined
    const position = first ?? second
    if (position === undefined) return undefined
    if (second !== undefined) out.push(0x8e, 0xa2)
    out.push(0xa1 + Math.floor(position / 94), 0xa1 + (position % 94))
  }
  return Uint8Array.from(out)
}

function moved(runs: readonly Run[], code: number, from: 0 | 1, to: 0 | 1): number | undefined {
  const run = runs.find((each) => code >= each[from] && code < each[from] + each[2])
  return run === undefined ? undefined : run[to] + code - run[from]
}
