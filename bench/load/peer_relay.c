/* The bare relay, and the naive Channels consumer, which speaks the same JSON:
 * the client sends {"type":"edit","cell":[row,column],"value":"17"}, and all other sockets get that very text; on connect
 * the server sends {"type":"state","cells":{…}} once. Nothing is acknowledged. */
#include <stdio.h>

#include "protocol.h"
#include "scan.h"

static size_t make_edit(struct client *client, const struct edit *edit, uint8_t buffer[EDIT_CAPACITY]) {
    (void)client;
    char *at = (char *)buffer;
    at = write_text(at, "{\"type\":\"edit\",\"cell\":[");
    at = write_number(at, edit->row);
    *at++ = ',';
    at = write_number(at, edit->column);
    at = write_text(at, "],\"value\":\"");
    at = write_number(at, edit->sequence);
    at = write_text(at, "\"}");
    return (size_t)(at - (char *)buffer);
}

static bool read_message(struct client *client, struct scan scan) {
    struct span name, type = {0}, value = {0};
    uint32_t row = 0, column = 0;
    bool is_first = true, has_cell = false;
    while (scan_member(&scan, &is_first, &name)) {
        if (span_is(name, "type")) {
            if (!scan_string(&scan, &type)) return false;
            if (span_is(type, "state")) {
                client_opened(client);
                client_loaded(client, 0);
                client_ready(client);
                return true;
            }
        } else if (span_is(name, "cell")) {
            has_cell = scan_byte(&scan, '[') && scan_number(&scan, &row) && scan_byte(&scan, ',') && scan_number(&scan, &column) &&
                       scan_byte(&scan, ']');
            if (!has_cell) return false;
        } else if (span_is(name, "value")) {
            if (!scan_string(&scan, &value)) return false;
        } else if (!scan_any(&scan)) {
            return false;
        }
    }
    if (!span_is(type, "edit") || !has_cell) return false;
    client_delivered(client, row, column, span_number(value));
    return true;
}

static void on_message(struct client *client, const uint8_t *bytes, size_t length, enum opcode opcode) {
    if (opcode == OPCODE_TEXT && read_message(client, (struct scan){bytes, bytes + length})) return;
    char reason[200];
    snprintf(reason, sizeof reason, "cannot read %.*s", (int)(length < 160 ? length : 160), (const char *)bytes);
    client_failed(client, reason);
}

const struct protocol relay_protocol = {
    .name = "relay", .edit_opcode = OPCODE_TEXT, .make_edit = make_edit, .on_message = on_message,
};

const struct protocol naive_protocol = {
    .name = "naive", .edit_opcode = OPCODE_TEXT, .make_edit = make_edit, .on_message = on_message,
};
