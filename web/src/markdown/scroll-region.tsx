"use client";

import { useEffect, useRef, useState, type ReactNode } from "react";

interface Props {
  label: string;
  className: string;
  children: ReactNode;
}

/**
 * A box whose one child may be wider than it is: as soon as it is, the box can be scrolled by keyboard too. A group and
 * not a region: those are landmarks, of which two must not have one name, and an answer may have many tables.
 */
export function ScrollRegion({ label, className, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);

  return (
    <div ref={box} className={className} {...(scrolls && { role: "group", "aria-label": label, tabIndex: 0 })}>
      {children}
    </div>
  );
}
