/* Reading JSON where it lies: what is not on the hot path. */
#include "scan.h"

bool scan_any(struct scan *scan) {
    uint32_t depth = 0;
    struct span ignored;
    do {
        scan_space(scan);
        if (scan->at >= scan->end) return false;
        switch (*scan->at) {
        case '"':
            if (!scan_string(scan, &ignored)) return false;
            break;
        case '[':
        case '{':
            depth++;
            scan->at++;
            break;
        case ']':
        case '}':
            if (!depth) return false;
            depth--;
            scan->at++;
            break;
        case ',':
        case ':':
            if (!depth) return false;
            scan->at++;
            break;
        default: /* a number, true, false, null */
            while (scan->at < scan->end && !memchr(",:]}[{\" \n\r\t", *scan->at, 11)) scan->at++;
        }
    } while (depth);
    return true;
}

bool scan_member(struct scan *scan, bool *is_first, struct span *name) {
    if (!scan_byte(scan, *is_first ? '{' : ',')) return false;
    *is_first = false;
    if (!scan_string(scan, name) || !scan_byte(scan, ':')) return false;
    scan_space(scan);
    return scan->at < scan->end;
}
