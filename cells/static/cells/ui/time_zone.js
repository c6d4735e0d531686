/** Says which time zone the browser is in where a new sheet is made: that of its TODAY() and NOW(). */

for (const input of document.querySelectorAll("input[name=time_zone]")) {
  if (input instanceof HTMLInputElement) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
