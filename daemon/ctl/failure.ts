import { EXIT, type ExitCode } from './exit-codes.ts';

/** Why integratorctl ends without having done what it was asked: `what; what to do`, and the exit code. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly exit: ExitCode;

  constructor(message: string, exit: ExitCode = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

/** Nobody listens on the control socket. */
export class DaemonNotRunning extends Failure {
  override readonly name = 'DaemonNotRunning';
  /** Whether the socket's file is gone: a daemon that ends in order takes it away, one that is killed does not. */
  readonly isSocketGone: boolean;

  constructor(socketPath: string, cause: NodeJS.ErrnoException) {
    const message = `integratord does not listen on ${socketPath} (${cause.code}); see: systemctl status integratord`;
    super(message, EXIT.notRunning, { cause });
    this.isSocketGone = cause.code === 'ENOENT';
  }
}

/** The daemon took the request and went away before it had answered. */
export class ConnectionLost extends Failure {
  override readonly name = 'ConnectionLost';

  constructor(cause: Error) {
    super(`integratord closed the connection (${cause.message}); see: journalctl -u integratord`, EXIT.failure, {
      cause,
    });
  }
}

/** The daemon answered that it will not; `reason` is its code. */
export class Refused extends Failure {
  override readonly name = 'Refused';
  readonly reason: string;

  constructor(message: string, reason: string, exit: ExitCode) {
    super(message, exit);
    this.reason = reason;
  }
}

/** Ctrl-C. */
export class Interrupted extends Failure {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted', EXIT.interrupted);
  }
}

/** Nobody reads the output any more, as with `| head`: an end like any other. */
export class OutputClosed extends Failure {
  override readonly name = 'OutputClosed';

  constructor(cause: Error) {
    super('nobody reads the output any more', EXIT.ok, { cause });
  }
}

/** The command line asks for what cannot be. */
export function usageError(message: string): Failure {
  return new Failure(message, EXIT.usage);
}
