/** Stands in for `cookie-jar.ts` in builds for browsers: they keep their own cookies, so nobody makes one there. */

export class CookieJar {
  constructor() {
    throw new TypeError('a build for browsers keeps no cookies: in Node use the condition "node"')
  }
}
