import { type ComponentType, useEffect, useEffectEvent, useState } from "react";
import { words } from "@/i18n";
import { notify } from "@/shell/notices";

interface OnDemand<P> {
  Part: ComponentType<P>;
  /** Fetch it before anybody wants it. */
  preload: () => void;
}

/**
 * A part of the page that is fetched when it is first shown. Where it cannot be had, since the network is gone or the
 * page has been replaced by a newer one, a notice says so and the part closes; the rest of the page stays as it is.
 */
export function onDemand<P extends { onClose: () => void }>(
  load: () => Promise<{ default: ComponentType<P> }>,
): OnDemand<P> {
  let loaded: ComponentType<P> | null = null;
  const fetchIt = async (): Promise<void> => {
    loaded ??= (await load()).default;
  };

  function Part(props: P) {
    const [Loaded, setLoaded] = useState(() => loaded);
    const fail = useEffectEvent(() => {
      props.onClose();
      const { part, reload } = words().problem;
      notify(part, { action: { label: reload, run: () => location.reload() } });
    });
    useEffect(() => {
      let wanted = true;
      fetchIt().then(
        () => wanted && setLoaded(() => loaded),
        () => wanted && fail(),
      );
      return () => {
        wanted = false;
      };
    }, []);
    return Loaded && <Loaded {...props} />;
  }

  return { Part, preload: () => void fetchIt().catch(() => undefined) };
}
