'use strict';
module.exports = {
  async up(queryInterface, Sequelize) { await queryInterface.createTable('t_20250103000000-more', { id: Sequelize.INTEGER }); },
  async down(queryInterface) { await queryInterface.dropTable('t_20250103000000-more'); }
};
