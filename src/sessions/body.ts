/** The body of an answer, in one place. Still without a bound. */
export const readBody = (response: Response): Promise<string | undefined> => response.text()
