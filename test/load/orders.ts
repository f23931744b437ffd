import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a simulator does for the process that started it: a function per order. */
// biome-ignore lint/suspicious/noExplicitAny: only the sender of an order knows its argument's type.
export type Orders = Record<string, (argument: any) => unknown>;

/** An order to a simulator, and its answer. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
export interface Answer {
  readonly id: number;
  readonly answer: unknown;
}

/** Executes orders of the process that started this one; exits with it. */
export function takeOrders(orders: Orders): void {
  process.on('message', async ({ id, name, argument }: Order) => {
    const act = orders[name];
    if (!act) throw new Error(`no such order: ${name}`);
    process.send?.({ id, answer: await act(argument) } satisfies Answer);
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group, but the process that started us ends us.
  process.on('SIGINT', () => {});
}

/** Listens on a free port of the loopback interface; returns the address. */
export async function listen(server: Server, scheme: string): Promise<string> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
