/** Why a file cannot be used, as a sentence for a person. */

const SENTENCES: readonly (readonly [codes: RegExp, sentence: (file: string, why: string) => string])[] = [
  [/^SQLITE_NOTADB/, (file) => `${file} is not an SQLite database: name another file with --db`],
  [/^SQLITE_CORRUPT/, (file, why) => `${file} is damaged (${why}): restore a backup, or name another file with --db`],
  [/^SQLITE_BUSY/, (file) => `another program has ${file} locked: stop it, or name another file with --db`],
  [/^(SQLITE_FULL|ENOSPC)/, (file) => `no space is left on the disk of ${file}: free some first`],
  [
    /^(SQLITE_(CANTOPEN|READONLY|PERM|IOERR)|E[A-Z]+$)/,
    (file, why) => `${file} cannot be opened and written (${why}): check its folder and permissions, or use --db`,
  ],
  [
    /^SQLITE_/,
    (file, why) => `${file} is not as a hub leaves it (${why}): restore a backup, or name another file with --db`,
  ],
];

/** @returns the error itself if it already says enough. */
export function unusable(file: string, error: unknown): Error {
  const { code = "", message } = error as Error & { code?: string };
  const [, sentence] = SENTENCES.find(([codes]) => codes.test(code)) ?? [];
  return sentence ? new Error(sentence(file, message), { cause: error }) : (error as Error);
}
