/**
 * Stands in for `ws-package.ts` in CommonJS builds: Jest has no `import()` there. A `require` that is made keeps
 * bundlers from looking for the package.
 */
export const importWs = async (): Promise<{ WebSocket?: unknown }> =>
  process.getBuiltinModule('node:module').createRequire(__filename)('ws')
