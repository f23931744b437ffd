/** The daemon's sources, whatever bundle tests use instead of them: `least-relay.ts` is preloaded, and changes these. */
await import('../../daemon/main.ts');
