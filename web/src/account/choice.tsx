interface Props<T extends string> {
  legend: string;
  name: string;
  options: readonly { value: T; label: string; lang?: string }[];
  value: T;
  onChoose: (value: T) => void;
}

/** A few options side by side, one of them chosen. */
export function Choice<T extends string>({ legend, name, options, value, onChoose }: Props<T>) {
  return (
    <fieldset className="mt-5">
      <legend className="text-sm font-medium">{legend}</legend>
      <div className="mt-2 flex gap-1 rounded-xl bg-hover p-1">
        {options.map((option) => (
          <label
            key={option.value}
            lang={option.lang}
            className="flex min-h-9 flex-1 cursor-pointer items-center justify-center rounded-lg px-3 text-sm text-soft has-checked:bg-raised has-checked:font-medium has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:min-h-11"
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChoose(option.value)}
              className="sr-only"
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
