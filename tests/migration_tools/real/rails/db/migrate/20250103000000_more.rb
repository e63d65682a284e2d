class More < ActiveRecord::Migration[6.1]
  def change
    create_table :t_more
  end
end
