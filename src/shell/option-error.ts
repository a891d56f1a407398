/** An option that does not fit the runtime. Its text is ours, so it may be shown; its name stays `TypeError`. */
export class OptionError extends TypeError {}
