/** The same text with memory of its own: kept, it does not keep the much larger one alive out of which it was cut. */
export const ownText = (text: string): string => Buffer.from(text).toString();
