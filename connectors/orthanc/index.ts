/** Orthanc, as the composition root sees it. */
export { createOrthancClient, type OrthancClient } from './client.ts'
export { createChangeFeed } from './feed.ts'
export { createFolderTarget } from './folder.ts'
export { createPluginTarget } from './plugin-target.ts'
