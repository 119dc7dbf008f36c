/** Names in order, which can be read on from any of them: a change moves what comes after it, and sorts nothing. */
export class SortedNames {
  readonly #names: string[] = [];

  add(name: string): void {
    const place = this.#placeOf(name);
    if (this.#names[place] !== name) this.#names.splice(place, 0, name);
  }

  delete(name: string): void {
    const place = this.#placeOf(name);
    if (this.#names[place] === name) this.#names.splice(place, 1);
  }

  /** The first `limit` of those that come after a name, whether it is one of them or not. */
  after(name: string, limit: number): string[] {
    const place = this.#placeOf(name);
    const from = this.#names[place] === name ? place + 1 : place;
    return this.#names.slice(from, from + limit);
  }

  /** Where a name is, or would be. */
  #placeOf(name: string): number {
    let [from, to] = [0, this.#names.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#names[middle] as string) < name) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
