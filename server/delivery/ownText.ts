/** A copy with memory of its own: keeping it does not keep alive the much larger text that it was cut from. */
export const ownText = (text: string): string => Buffer.from(text).toString();
