/** Stands in for `websocket.ts` in builds for React Native: Metro would follow even a name in a variable. */
export * from './websocket.browser.ts'
