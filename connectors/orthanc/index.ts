/** Orthanc, as the composition root sees it. */
export { createOrthancClient, type OrthancClient } from './client.ts'
export { createChangeFeed, type ChangeFeed } from './feed.ts'
export { createFolderTarget } from './folder.ts'
export { createPluginTarget } from './plugin-target.ts'
