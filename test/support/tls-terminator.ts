import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { TlsIdentity } from '../load/certificates.ts';

/** Takes TLS off connections to a server on this machine that has none, as a load balancer does. */
export class TlsTerminator {
  readonly #server;
  readonly #sockets = new Set<TLSSocket>();

  /** Opens a terminator before `target`. */
  static async before(target: string, identity: TlsIdentity): Promise<TlsTerminator> {
    const terminator = new TlsTerminator(new URL(target), identity);
    terminator.#server.listen(0, '127.0.0.1');
    await once(terminator.#server, 'listening');
    return terminator;
  }

  private constructor({ port }: URL, identity: TlsIdentity) {
    this.#server = createServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (client) => {
      this.#sockets.add(client);
      const server = connect(Number(port), '127.0.0.1');
      client.once('close', () => {
        this.#sockets.delete(client);
        server.destroy();
      });
      server.once('close', () => client.destroy());
      for (const socket of [client, server]) socket.on('error', () => socket.destroy());
      client.pipe(server).pipe(client);
    });
    this.#server.on('tlsClientError', () => {});
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
