/** A modality that asks for the worklist, as the composition root sees it. */
export { askWorklist, type WorklistAnswer, type WorklistAsked } from './ask-worklist.ts'
