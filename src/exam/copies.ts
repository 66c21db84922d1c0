/**
 * What a second Orthanc shows of a study that another one has shown already: it is
 * recorded and credited like the first, and says nothing new.
 */
import type { SeriesFacts, Study } from '../core/order.ts'
import type { World } from '../core/world.ts'
import { counts } from './credit.ts'

/** The same study in other Orthancs: the same Study Instance UID of the same patient. */
export function twinsOf(
  world: World,
  study: Pick<Study, 'orthanc' | 'studyInstanceUid' | 'patientId'>,
): readonly Study[] {
  const { orthanc, studyInstanceUid, patientId } = study
  if (studyInstanceUid === '') return []
  return world
    .studies({ by: 'studyInstanceUid', value: studyInstanceUid })
    .filter((other) => other.orthanc !== orthanc && other.patientId.trim() === patientId.trim())
}

/** The study that has shown this series already, with no fewer images. */
export function shownBy(twins: readonly Study[], { seriesInstanceUid, instances }: SeriesFacts): Study | undefined {
  if (seriesInstanceUid === '') return undefined
  return twins.find((twin) =>
    twin.series.some(
      (one) => one.seriesInstanceUid === seriesInstanceUid && one.instances >= instances && counts(twin, one),
    ),
  )
}

/**
 * The series, marked where another Orthanc has anonymised or modified it out of others, and holds no fewer images
 * of it: what is forwarded by C-STORE comes without the metadata that say so.
 */
export function withMakers(twins: readonly Study[], series: readonly SeriesFacts[]): readonly SeriesFacts[] {
  return series.map((facts) => {
    const { seriesInstanceUid, instances, isCopy } = facts
    const isMade = twins.some((twin) =>
      twin.series.some(
        (one) => one.isCopy === true && one.seriesInstanceUid === seriesInstanceUid && one.instances >= instances,
      ),
    )
    return isMade && isCopy !== true && seriesInstanceUid !== '' ? { ...facts, isCopy: true } : facts
  })
}

/** Studies, the first seen first, each with those of its series that none before it has shown. */
export function withoutCopies(
  studies: readonly Study[],
): readonly { readonly study: Study; readonly own: ReadonlySet<string> }[] {
  const sorted = [...studies].sort((a, b) => (a.firstImageAt + a.key < b.firstImageAt + b.key ? -1 : 1))
  return sorted.map((study, index) => {
    const earlier = sorted
      .slice(0, index)
      .filter((one) => one.orthanc !== study.orthanc && one.studyInstanceUid === study.studyInstanceUid)
    const own = study.series.filter((facts) => shownBy(earlier, facts) === undefined)
    return { study, own: new Set(own.map((facts) => facts.series)) }
  })
}
