/**
 * The IP address of a machine in the one way of writing it: rules compare it as text, so that of one machine there
 * must be one. IPv4 that came by an IPv6 socket (`::ffff:10.1.2.3`) is IPv4; a zone (`%eth0`) is ours, not the
 * machine's. Undefined where it is no address.
 */
export function machineAddress(text: string): string | undefined {
  if (text.includes('.') && !text.includes(':')) return dotted(text)
  const [address = ''] = text.split('%')
  if (!address.includes(':') || !/^[0-9A-Fa-f:.]+$/.test(address) || !URL.canParse(`http://[${address}]`))
    return undefined
  // The URL standard writes IPv6 as RFC 5952 does: small letters, the longest run of zeros left out.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  return [high, low].flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]).join('.')
}

function dotted(text: string): string | undefined {
  const parts = text.split('.')
  const isAddress = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return isAddress ? text : undefined
}
