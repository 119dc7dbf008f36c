/** @example amount(1, "messages") === "1 message" */
export const amount = (count: number, what: string) => `${count} ${count === 1 ? what.replace(/s$/, "") : what}`;
