/** Whether a text is printable ASCII without a backslash: what nothing in DICOM forbids but the kind of value (CS) or the name (`^`, `=`). */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x5c) return false
  }
  return true
}
