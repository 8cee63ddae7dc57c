import http from 'node:http';
import https from 'node:https';

/** Connections that are used again by later calls. */
export class Pool {
  #plain: http.Agent | undefined;
  #secure: https.Agent | undefined;

  /** The one for https, or for http. */
  agent(secure: boolean): http.Agent {
    if (secure) return (this.#secure ??= new https.Agent({ keepAlive: true }));
    return (this.#plain ??= new http.Agent({ keepAlive: true }));
  }

  /** Closes the connections that wait for another call. */
  close(): void {
    this.#plain?.destroy();
    this.#secure?.destroy();
  }
}
