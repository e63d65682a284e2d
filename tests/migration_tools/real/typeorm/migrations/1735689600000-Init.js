class Init1735689600000 {
    name = 'Init1735689600000'
    async up(queryRunner) { await queryRunner.query(`CREATE TABLE "t_1735689600000" ("id" int)`); }
    async down(queryRunner) { await queryRunner.query(`DROP TABLE "t_1735689600000"`); }
}
module.exports = { Init1735689600000 };
