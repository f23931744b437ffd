import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a stand-in does for the process that started it: a function for each order, whose result is the answer. */
// biome-ignore lint/suspicious/noExplicitAny: an order's argument is known where it is given, and there only.
export type Orders = Record<string, (argument: any) => unknown>;

/** An order on its way to a stand-in, and its answer on the way back. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
export interface Answer {
  readonly id: number;
  readonly answer: unknown;
}

/** Takes orders from the process that started this one, and ends with it. */
export function takeOrders(orders: Orders): void {
  process.on('message', async ({ id, name, argument }: Order) => {
    const act = orders[name];
    if (!act) throw new Error(`no such order: ${name}`);
    process.send?.({ id, answer: await act(argument) } satisfies Answer);
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C goes to the whole group; who started us ends us, once the figures are in.
  process.on('SIGINT', () => {});
}

/** Listens on a free port of the loopback interface; gives the address. */
export async function listen(server: Server, scheme: string): Promise<string> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
