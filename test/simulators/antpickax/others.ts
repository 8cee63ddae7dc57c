import type { Order } from './protocol.ts';

/** The other servers, as this node deals with them. */
export interface Others {
  /** Whether none of them is up. */
  readonly alone: boolean;
  /** Whether one of them goes by another name here than at home: then no merge ever starts. */
  readonly disagree: boolean;
  /** Whether one of them is Doing or Done. */
  readonly operating: boolean;
  /** Whether one of them is Doing. */
  readonly doing: boolean;
  /** Tells them to do something. */
  order(order: Order): void;
  /** Brings here what this node is to hold after the merge; resolves with how many keys came. */
  pull(): Promise<number>;
  /** What becomes of a node that joins while another does; `fall` has been seen to already. */
  collide(): 'wait' | 'hang' | 'fall';
}
