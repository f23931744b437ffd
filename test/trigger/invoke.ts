import { handler } from '../../trigger/handler.ts';

// In place of Lambda's runtime: the event is the first argument, the result the last line.
const event: unknown = JSON.parse(process.argv[2] ?? 'null');
const answer = await handler(event, { getRemainingTimeInMillis: () => 8000 });
process.stdout.write(`${JSON.stringify({ answer })}\n`);
