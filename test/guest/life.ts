/** An agent's life: it is killed before its next step once it has taken so many. */
export class Life {
  #stepsLeft: number;
  #die: (fate: 'killed') => void = () => undefined;
  readonly killed = new Promise<'killed'>((resolve) => (this.#die = resolve));

  constructor(steps: number) {
    this.#stepsLeft = steps;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stepsLeft-- > 0) return work();
    this.#die('killed');
    return new Promise(() => undefined);
  }
}
