import { createServer } from 'node:http';
import { type Command, Option } from 'commander';
import type { Status } from '../../contract/control-api.ts';
import { orAborted } from '../../runtime/abort.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { listenOnLoopback, parseLoopbackAddress } from './loopback-address.ts';
import { pageRelay } from './page-relay.ts';

const DEFAULT_ADDRESS = '127.0.0.1:8081';

/** integratorctl page: serves browsers on this machine, or at the other end of a forwarded port. */
export function addPageCommand(program: Command, io: Io): void {
  program
    .command('page')
    .description("serve the daemon's read-only status page to browsers until Ctrl-C")
    .addOption(
      new Option('--listen <address>', 'port, or loopback address and port; port 0 for a free one')
        .argParser(parseLoopbackAddress)
        .default(DEFAULT_ADDRESS),
    )
    .action(async ({ listen }: { listen: string }, command: Command) => {
      const invocation = new Invocation(command, io);
      // Reports a missing daemon or permission here instead of in the browser.
      await invocation.daemon.get<Status>('/v1/status');
      const server = createServer(pageRelay(invocation.daemon.socketPath, io.clock));
      const url = await listenOnLoopback(server, listen);
      invocation.show({ url }, () => [`${url} shows the status page until Ctrl-C`]);
      try {
        await orAborted(new Promise<never>(() => {}), io.stop);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
}
