// What the script keeps on the device. Storage may be full, switched off or missing: then everything lives as long as
// the page.

// Somebody who objects to tracking has nothing stored and no device id. What the page itself tells of them is sent
// all the same: whether the project respects the objection is the collector's to decide, by the same headers.
export const objects = navigator.globalPrivacyControl || navigator.doNotTrack === '1'

export function read(name: string): string | null {
  try {
    return objects ? null : localStorage.getItem(name)
  } catch {
    return null
  }
}

// write stores a value, or removes it when there is none.
export function write(name: string, value?: string | null): void {
  try {
    if (objects) return
    if (value) localStorage.setItem(name, value)
    else localStorage.removeItem(name)
  } catch {
    // kept by the page alone
  }
}

// parse reads a stored value; null for what is missing or none of ours.
export function parse<T>(text: string | null): T | null {
  try {
    return JSON.parse(text!)
  } catch {
    return null
  }
}

// newID needs no secure context, unlike crypto.randomUUID.
export function newID(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join('')
}

const COOKIE = 'tl_aid'
const YEAR = 31_536_000 // seconds

// deviceID is kept twice, because browsers clear cookies and storage at different times.
export function deviceID(): string | undefined {
  if (objects) return
  const id = read(COOKIE) || new RegExp(`\\b${COOKIE}=(\\w+)`).exec(document.cookie)?.[1] || newID()
  write(COOKIE, id)
  document.cookie = `${COOKIE}=${id};path=/;max-age=${YEAR};samesite=lax` + (location.protocol === 'https:' ? ';secure' : '')
  return id
}
