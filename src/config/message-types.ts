import type { Problem } from '../core/fault.ts'
import { suggest } from '../mapping/suggest.ts'
import type { PipelineFile } from './pipelines.ts'
import { problem } from './problem.ts'
import { acceptedBy } from './unreachable.ts'

/** HL7 table 0076, but for ORN (a supply that is not in stock), by which ORM is meant; codes of a site begin with Z. */
const codes = [
  'ACK ADT BAR BPS BRP BRT BTS CCF CCI CCM CCQ CCU CQU CRM CSU DFT DOC DSR EAC EAN EAR EHC ESR ESU INR INU LSR LSU',
  'MCF MDM MFD MFK MFN MFQ MFR NMD NMQ NMR OMB OMD OMG OMI OML OMN OMP OMQ OMS OPL OPR OPU ORA ORB ORD ORF ORG ORI',
  'ORL ORM ORP ORR ORS ORU ORX OSD OSM OSQ OSR OSU OUL PEX PGL PIN PMU PPG PPP PPR PPT PPV PRR PTR QBP QCK QCN',
  'QRY QSX QVR RAR RAS RCI RCL RDE RDR RDS RDY REF RER RGV ROR RPA RPI RPL RPR RQA RQC RQI RQP RRA RRD RRE RRG RRI',
  'RSP SCN SDN SDR SIU SLN SLR SMD SQM SQR SRM SRR SSR SSU STC STI SUR TBR TCR TCU UDM VXQ VXR VXU VXX',
].flatMap((line) => line.split(' '))

/** Those of which this engine makes anything, or that come by the same road: what a slip of the hand was meant to be. */
const usual = ['ORM', 'OMG', 'OMI', 'ORR', 'ORG', 'ORI', 'ORU', 'SIU', 'ADT', 'OML', 'MDM', 'DFT', 'BAR']

/** A type that nobody sends is accepted in vain, and what they send instead is refused. */
export function unknownTypes(pipelines: readonly PipelineFile[]): readonly Problem[] {
  return pipelines.flatMap(({ kind, located }) => {
    if (kind === 'status') return []
    return acceptedBy(located.value).types.flatMap(({ type, path }) => {
      const [, code = 'Z', rest = ''] = /^([A-Z]{3})(\^.*)?$/.exec(type) ?? []
      if (code.startsWith('Z') || codes.includes(code)) return []
      const meant = suggest(code, usual)
      const advice = meant === undefined ? {} : { advice: `Did you mean ${meant}${rest}?` }
      return [problem(located.place(path), 'E296', { type }, { severity: 'warning', ...advice })]
    })
  })
}
