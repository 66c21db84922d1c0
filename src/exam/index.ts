export { apply } from './apply.ts'
export { concerns } from './concerns.ts'
export { createOverlay, type Overlay } from './overlay.ts'
