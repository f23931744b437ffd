import { EXIT, type ExitCode } from './exit-codes.ts';

/** A failure to report: the message is `what; what to do`. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly exit: ExitCode;

  constructor(message: string, exit: ExitCode = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

/** Nothing listens on the control socket. */
export class DaemonNotRunning extends Failure {
  override readonly name = 'DaemonNotRunning';
  /** True if the socket's file is gone: a daemon that exits in order removes it, a killed one does not. */
  readonly isSocketGone: boolean;

  constructor(socketPath: string, cause: NodeJS.ErrnoException) {
    const message = `integratord is not listening on ${socketPath} (${cause.code}); see: systemctl status integratord`;
    super(message, EXIT.notRunning, { cause });
    this.isSocketGone = cause.code === 'ENOENT';
  }
}

/** The daemon accepted the request and disappeared before responding. */
export class ConnectionLost extends Failure {
  override readonly name = 'ConnectionLost';

  constructor(cause: Error) {
    super(`integratord closed the connection (${cause.message}); see: journalctl -u integratord`, EXIT.failure, {
      cause,
    });
  }
}

/** The daemon refused the request; `reason` is its code. */
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

/** The reader closed our output, as `| head` does: a normal end. */
export class OutputClosed extends Failure {
  override readonly name = 'OutputClosed';

  constructor(cause: Error) {
    super('the output was closed', EXIT.ok, { cause });
  }
}

/** A fault in the command line. */
export function usageError(message: string): Failure {
  return new Failure(message, EXIT.usage);
}
