import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { addressFault } from './addresses.ts';

type Callback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;
/** `dns.lookup`, as sockets call it. */
export type Lookup = (hostname: string, options: LookupOptions, callback: Callback) => void;
/** The part of `dns.lookup` that is used; a test brings its own. */
export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name leads to where transcripts are never posted. */
class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ERR_ADDRESS_REFUSED';
}

/**
 * A lookup for sockets that refuses a name with any forbidden address. It is asked when a connection is opened, and the
 * connection goes to what it answered: a name that changes in between gains nothing.
 */
export function guardedLookup(resolve: ResolveAll = systemLookup): Lookup {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      for (const { address } of addresses) {
        const fault = addressFault(address);
        if (fault === undefined) continue;
        callback(new AddressRefused(`${hostname} is not posted to: ${address} ${fault}`), []);
        return;
      }
      const [first] = addresses;
      if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}
