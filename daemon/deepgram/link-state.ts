import type { Millis } from '../runtime/clock.ts';
import type { Connection } from './connection.ts';
import type { Outage } from './outage.ts';
import type { Reconnect } from './reconnect-policy.ts';

export type LinkState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly connection: Connection }
  | { readonly name: 'waiting'; readonly outage: Outage; readonly step: Reconnect }
  | {
      readonly name: 'reconnecting';
      readonly outage: Outage;
      readonly step: Reconnect;
      readonly attempt: AbortController;
    }
  /** CloseStream is sent; Deepgram's last results are awaited. */
  | { readonly name: 'finishing'; readonly connection: Connection; readonly backlogMs: Millis }
  | { readonly name: 'closed'; readonly error?: Error };

export function connectionOf(state: LinkState): Connection | undefined {
  return state.name === 'open' || state.name === 'finishing' ? state.connection : undefined;
}
