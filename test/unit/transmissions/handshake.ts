import type { Handshake } from '../../../src/transmissions/transmission.ts'

export const JWT =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoxLCJleHAiOjE3NjAwMDAwMDB9.c2lnbmF0dXJlLV9zaWc'

export const handshake = (parts: Partial<Handshake> = {}): Handshake => ({
  url: new URL('wss://host.example/ws/chat/lobby/'),
  protocols: [],
  headers: {},
  ...parts,
})

export function thrownBy(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}

/** Every string that an error could show somewhere. */
export const textsOf = (error: Error): string =>
  [error.message, error.stack, String(error.cause), JSON.stringify(error)].join('\n')

/** Needs a piece of the token of `length` characters, or all of a shorter one. */
export function quotes(text: string, token: string, length = 8): boolean {
  for (let start = 0; start + length <= token.length; start += 1) {
    if (text.includes(token.slice(start, start + length))) return true
  }
  return false
}
