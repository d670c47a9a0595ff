/** What the failing test would say: the suite only asks that it fails. */
import { expectExactlyOnce } from 'tidemark/testing';
import { loyaltyPoints } from './loyalty-points.mjs';
import { input } from './purchases.mjs';

const failure = await expectExactlyOnce(loyaltyPoints, { input, seeds: 60 }).catch(({ message }) => message);
if (typeof failure !== 'string') throw new Error('The storm did not find the bug.');
console.log(failure);
