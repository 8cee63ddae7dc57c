/** A running agent. */
export interface Agent {
  /** Rejects when a part of the agent fails that nothing can go on without. */
  failed: Promise<never>;
  /** Ends the agent, and nothing else: chmpx and k2hdkc run on. */
  stop(): Promise<void>;
}

/** A part of an agent that works until `signal` aborts. */
export interface Part {
  run(signal: AbortSignal): Promise<void>;
}

/** The parts of an agent while they work. */
export interface Running {
  /** Rejects when one of them fails; never resolves. */
  failed: Promise<never>;
  /** Tells them all to end, and waits until they have. Rejects when one has failed. */
  end(): Promise<void>;
}

/** Starts all parts; `ending` tells them, and whatever else waits for it, to end. */
export function runParts(parts: readonly Part[], ending: AbortController): Running {
  const running = Promise.all(parts.map((part) => part.run(ending.signal)));
  return {
    failed: running.then(() => new Promise<never>(() => undefined)),
    async end() {
      ending.abort();
      await running;
    },
  };
}
