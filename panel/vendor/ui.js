// What the panel uses of Preact, in one module.
export {render} from 'preact';
export {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';
export {batch, computed, effect, signal, useComputed, useSignal} from '@preact/signals';
export {html} from 'htm/preact';
