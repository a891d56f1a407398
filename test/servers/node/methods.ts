/** What `call` may call. */
export type Methods = Readonly<Record<string, (data: unknown, user: string) => unknown>>

export const EXAMPLE_METHODS: Methods = {
  echo: (data) => data,
  'order.place': (data, user) => ({ placed: true, by: user, order: data }),
}
