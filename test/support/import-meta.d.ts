/** As much of `vite/client` as the examples use. */
interface ImportMeta {
  readonly hot?: { dispose(callback: () => void): void }
}
