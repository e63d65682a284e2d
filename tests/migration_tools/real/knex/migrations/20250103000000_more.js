exports.up = (knex) => knex.schema.createTable("t_20250103000000_more", (t) => { t.increments(); });
exports.down = (knex) => knex.schema.dropTable("t_20250103000000_more");
