/** The part of dcmjs that Worklane uses; the package brings no types. */
declare module 'dcmjs' {
  export interface DcmjsEntry {
    readonly tag: string
    readonly vr: string
    readonly vm: string
    readonly name: string
  }
  export interface DcmjsElement {
    readonly vr: string
    readonly Value: readonly unknown[]
  }
  export interface DcmjsDict {
    [tag: string]: DcmjsElement
  }
  interface Logger {
    setLevel(level: 'silent'): void
    getLogger(name: string): Logger
  }
  export const log: Logger
  export const data: {
    readonly DicomMetaDictionary: { readonly nameMap: { readonly [name: string]: DcmjsEntry } }
    readonly DicomDict: new (meta: DcmjsDict) => { dict: DcmjsDict; write(): ArrayBuffer }
    readonly DicomMessage: {
      readFile(bytes: ArrayBuffer): { readonly meta: DcmjsDict; readonly dict: DcmjsDict }
    }
  }
}
