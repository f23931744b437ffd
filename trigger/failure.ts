/** Why a contact is not being transcribed: what goes back to the contact flow instead of an exception.
 *  `code` is for machines; the message says what to do and never holds an attribute's value or a secret. */
export class TriggerFailure extends Error {
  override readonly name: string = 'TriggerFailure';
  readonly code: string;
  /** Whether the same invocation may work when it is made again. */
  readonly retryable: boolean;

  constructor(code: string, message: string, { retryable = false, ...options }: FailureOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

/** The integrator's own refusal. Its message is the integrator's text, which may quote Deepgram quoting
 *  a parameter: it is passed on to the flow that set the parameter, and kept out of our log. */
export class IntegratorRefusal extends TriggerFailure {
  override readonly name = 'IntegratorRefusal';
}

type FailureOptions = ErrorOptions & { retryable?: boolean };
