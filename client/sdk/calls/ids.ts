import { v7 as uuid } from "uuid";

/** A random id of a run. */
export const newRun = (): string => uuid().replaceAll("-", "");

/** Random, and sorts after those of earlier programs. */
const life = newRun();
let made = 0;

/**
 * A key that nobody else makes. Keys sort by the time they were made: a random one for each would cost more than a
 * call.
 */
export const newKey = (): string => `${life}-${String(++made).padStart(9, "0")}`;

/** Whether this program made a key: nobody else can repeat what was asked with it. */
export const isMadeHere = (key: string) => key.startsWith(life);
