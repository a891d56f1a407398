/** All that isomorphic code passes, for Node: pages send an Origin by themselves. */
export const isOriginAlone = ({ headers = {}, ...rest }: { headers?: object }): boolean => {
  const names =
    Symbol.iterator in headers ? [...new Map(headers as []).keys()] : Object.keys(headers)
  return [...Object.keys(rest), ...names].every((name) => `${name}`.toLowerCase() === 'origin')
}
