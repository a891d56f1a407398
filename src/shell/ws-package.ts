/** Loads the package `ws`. CommonJS builds have `ws-package.cjs.ts`. */
export const importWs = (): Promise<{ WebSocket?: unknown }> => {
  // A name in a variable keeps bundlers for browsers from looking for the package.
  const name = 'ws'
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}
