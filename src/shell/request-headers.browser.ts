/** Stands in for `request-headers.ts` in builds for browsers, where no script sets a header of a handshake. */

export const requestHeaders = (given: object | undefined, own: object): object => ({
  ...given,
  ...own,
})
